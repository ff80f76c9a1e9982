"""Photos that come and go otherwise: pipes, watched folders, machines."""
