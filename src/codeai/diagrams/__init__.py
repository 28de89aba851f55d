"""Pictures of workflows and jobs: a structure made from the model, and its renderings as Mermaid and as SVG. Pure."""
