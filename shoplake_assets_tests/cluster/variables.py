"""Scratch."""
import secrets
def new_variables():
    return {n: secrets.token_hex(16) for n in ("S3_KEY","S3_SECRET","PG_PASSWORD","C_PASSWORD","D_PASSWORD")}
