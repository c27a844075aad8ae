DOMAIN = {"people": {}}
