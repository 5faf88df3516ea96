"""The evidence behind the book's statements. It uses `sagan_lib`; nothing there uses it."""
