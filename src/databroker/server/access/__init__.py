"""Who asks, and what they may: a `Caller` is made of what comes with each request."""
