"""Film: clips in, coloured clips out, without flicker."""
