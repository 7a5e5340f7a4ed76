"""What do the generators make, how good is it, and how were they trained?"""
