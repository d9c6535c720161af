"""What the kinds of Site Recovery share: lists, ids, operations and routes."""
