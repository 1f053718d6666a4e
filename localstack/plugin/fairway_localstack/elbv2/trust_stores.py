"""Trust stores, as far as listeners refer to them. Source: CreateTrustStore, DescribeTrustStores, DeleteTrustStore."""

from ..errors import refuse


def create_trust_store(elb, request):
    if any(store["Name"] == request["Name"] for store in elb.store.trust_stores.values()):
        refuse("DuplicateTrustStoreName", "A trust store with the specified name exists")
    arn = elb.arn(f"truststore/{request['Name']}/{elb.store.new_id()}")
    elb.store.trust_stores[arn] = {
        "Name": request["Name"],
        "TrustStoreArn": arn,
        "Status": "ACTIVE",
        "NumberOfCaCertificates": 1,
        "TotalRevokedEntries": 0,
    }
    return {"TrustStores": [elb.store.trust_stores[arn]]}


def describe_trust_stores(elb, request):
    found = list(elb.store.trust_stores.values())
    for parameter, key in (("TrustStoreArns", "TrustStoreArn"), ("Names", "Name")):
        wanted = request.get(parameter)
        if wanted:
            found = [store for store in found if store[key] in wanted]
            if len(found) != len(wanted):
                refuse("TrustStoreNotFound", "The specified trust store does not exist")
    return {"TrustStores": found}


def delete_trust_store(elb, request):
    for listener in elb.store.listeners.values():
        if (listener.get("MutualAuthentication") or {}).get("TrustStoreArn") == request["TrustStoreArn"]:
            refuse("TrustStoreInUse", "The specified trust store is in use")
    elb.store.trust_stores.pop(request["TrustStoreArn"], None)
    return {}
