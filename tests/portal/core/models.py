from django.db import models

from portal.core.fields import EncryptedBinaryField, EncryptedJSONField, EncryptedTextField


class Shelf(models.Model):
    name = models.CharField(max_length=20)


class Item(models.Model):
    shelf = models.ForeignKey(Shelf, on_delete=models.CASCADE)
    status = models.CharField(max_length=20, default="requested")
    at = models.DateTimeField()
    note = models.IntegerField(null=True)


class Vault(models.Model):
    text = EncryptedTextField(default="")
    data = EncryptedBinaryField(null=True)
    json = EncryptedJSONField(default=dict)
