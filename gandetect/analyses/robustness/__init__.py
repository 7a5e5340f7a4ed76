"""What do compression, blur and the like do to a detector?"""
