"""Are training images answered better than unseen ones?"""
