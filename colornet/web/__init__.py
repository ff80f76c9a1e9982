"""A page in the browser, and an interface by HTTP, that colour photos."""
