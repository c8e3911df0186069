"""The floor of an exchange: sessions in, the matching engine between them, multicast out."""
