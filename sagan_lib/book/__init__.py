"""What the book's pages and problem sets need besides the layers: pictures, glue, checks."""
