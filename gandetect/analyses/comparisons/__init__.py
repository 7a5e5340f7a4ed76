"""How far do runs lie apart, and which detector is better?"""
