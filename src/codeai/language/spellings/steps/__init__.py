"""Steps of blocks in older files, which are written as calls: ``user = find(User, id)``, ``create(User, request)``, ``delete(x)``.

A step becomes the statements it needs and the expression it is worth. ``Result`` holds both: where a step stands inside of another
expression, only a value can be had.
"""

from codeai.language.spellings.steps.placing import STEPS, assignment, expression, statement
from codeai.language.spellings.steps.writing import upsert

__all__ = ["STEPS", "assignment", "expression", "statement", "upsert"]
