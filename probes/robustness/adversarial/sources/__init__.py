"""Where other words come from: lexical databases, word vectors, the audited model's own table, masked models, lists."""
