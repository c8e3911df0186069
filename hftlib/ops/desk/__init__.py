"""The desk: what people look at, over the pages of one or more runners, and from where they act."""
