"""What is only for Ray clusters: an engine for studies, and scoring of collections by shard.

Nothing else imports this room, but for the two places where Ray is asked for by name.
"""
