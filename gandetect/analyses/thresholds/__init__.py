"""What do other thresholds give?"""
