"""How our own kinds of results are drawn, a module each; imported when the first one is drawn."""
