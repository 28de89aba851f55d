"""Figures for operators: counted where they arise at the cost of an addition, summed over all processes when somebody asks."""
