"""users/ and tokens/ of the API."""

from __future__ import annotations

from typing import cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.accounts import actions
from portal.accounts.access import Rule
from portal.accounts.hooks import hooks
from portal.accounts.models import ApiToken, User
from portal.accounts.permissions import DeclaredAccess
from portal.accounts.principals import principal_of
from portal.accounts.serializers import (
    NewTokenSerializer,
    ShownTokenSerializer,
    TokenSerializer,
    UserSerializer,
)


def visible_people(user: User) -> QuerySet[User]:
    """Everybody for portal administrators, else the people of one's tenants and oneself."""
    people = User.objects.get_queryset()
    return people if user.is_portal_admin else hooks.visible_people(people, user)


class Users(generics.ListAPIView[User]):
    """People you may know of: colleagues of your tenants; portal administrators see all."""

    access_rule: Rule = "signed_in"
    permission_classes = [DeclaredAccess]
    serializer_class = UserSerializer
    queryset = User.objects.none()
    ordering = ("username",)
    filterset_fields = ("is_active",)

    def get_queryset(self) -> QuerySet[User]:
        return visible_people(cast(User, self.request.user))


class OneUser(generics.RetrieveAPIView[User]):
    access_rule: Rule = "signed_in"
    permission_classes = [DeclaredAccess]
    serializer_class = UserSerializer
    queryset = User.objects.none()
    lookup_field = "username"

    def get_queryset(self) -> QuerySet[User]:
        return visible_people(cast(User, self.request.user))


class Tokens(generics.ListAPIView[ApiToken]):
    """Your own API tokens. The text of a token is in the answer that creates it and nowhere else."""

    access_rule: Rule = "signed_in"
    permission_classes = [DeclaredAccess]
    serializer_class = TokenSerializer
    queryset = ApiToken.objects.none()
    ordering = ("-created_at",)

    def get_queryset(self) -> QuerySet[ApiToken]:
        return ApiToken.objects.of(cast(User, self.request.user))

    @extend_schema(request=NewTokenSerializer, responses={201: ShownTokenSerializer})
    def post(self, request: Request) -> Response:
        wanted = NewTokenSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        data = wanted.validated_data
        token, plain = actions.create_token(
            by=principal_of(request), name=data["name"], days=data["days"], scopes=sorted(data["scopes"])
        )
        answer = {**TokenSerializer(token).data, "token": plain}
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


class OneToken(APIView):
    access_rule: Rule = "signed_in"
    permission_classes = [DeclaredAccess]

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, prefix: str) -> Response:
        """Ends a token at once. Ending it again changes nothing."""
        own = ApiToken.objects.of(cast(User, request.user)).select_related("user")
        actions.revoke_token(by=principal_of(request), token=get_object_or_404(own, prefix=prefix))
        return Response(status=status.HTTP_204_NO_CONTENT)


api_urls = [
    path("users/", Users.as_view(), name="users"),
    path("users/<str:username>/", OneUser.as_view(), name="user"),
    path("tokens/", Tokens.as_view(), name="tokens"),
    path("tokens/<slug:prefix>/", OneToken.as_view(), name="token"),
]
