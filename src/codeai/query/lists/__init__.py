"""Generated reads: one row by its key, and lists with filters, sort, pages, cursors and expansion."""
