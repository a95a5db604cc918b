"""What is stored from now on, told as server-sent events: to clients of ours, and to others."""
