"""How do answers move while a discriminator trains?"""
