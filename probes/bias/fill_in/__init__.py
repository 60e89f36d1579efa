"""What masked language models put into blanks about people of each group."""
