"""Why the model answered as it did, whether that explanation can be trusted, and which words it leans on."""
