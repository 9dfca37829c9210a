"""What is kept on disk: the journal, the outbox and the local history."""
