"""The verbs of the command line, one module each: parse, call one function, print."""
