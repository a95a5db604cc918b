"""What a document is: its kinds, its checks, its exact encoding."""
