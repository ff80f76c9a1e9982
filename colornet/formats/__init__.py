"""What files say: photos of all formats, and what else is in them."""
