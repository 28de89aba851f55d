"""CodeAI: a language and a runtime for back ends."""

__version__ = "0.1.0"
