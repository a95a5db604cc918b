"""Who may do what: each request has credentials, by which an authenticator knows its `Caller`."""
