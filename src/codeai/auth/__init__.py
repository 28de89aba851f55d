"""Who calls: providers, tokens, key sets, roles, and the guard."""
