"""How good generated images are, and what attention looks at. Nothing here trains a GAN."""
