"""The bearer token: HS256, signed with the secret that is shared with Better Auth."""
import os
from typing import Any

from fastapi import Depends, HTTPException, Request, status
from jose import JWTError, jwt

SECRET_KEY = os.environ["BETTER_AUTH_SECRET"]
ISSUER = os.getenv("JWT_ISSUER")
AUDIENCE = os.getenv("JWT_AUDIENCE")
OPTIONS = {"require_exp": True, "require_aud": bool(AUDIENCE), "verify_aud": bool(AUDIENCE), "leeway": 30}


def unauthorized(detail: str) -> HTTPException:
    return HTTPException(status.HTTP_401_UNAUTHORIZED, detail, {"WWW-Authenticate": "Bearer"})


async def get_current_user(request: Request) -> dict[str, Any]:
    header = request.headers.get("Authorization")
    if not header or not header.startswith("Bearer "):
        raise unauthorized("Missing or invalid authorization header")
    token = header.split(" ", 1)[1]
    try:
        return jwt.decode(
            token, SECRET_KEY, algorithms=["HS256"], audience=AUDIENCE, issuer=ISSUER, options=OPTIONS
        )
    except JWTError as error:
        raise unauthorized(f"Invalid token: {error}") from error


def get_user_id_from_token(current_user: dict[str, Any] = Depends(get_current_user)) -> str:
    user_id = current_user.get("sub")
    if not user_id:
        raise unauthorized("Invalid token: no user_id found")
    return user_id


def check_owner(user_id: str, current_user_id: str) -> None:
    """The user of the path must be the one of the token."""
    if user_id != current_user_id:
        raise HTTPException(status.HTTP_403_FORBIDDEN, "Not authorized to access these tasks")
