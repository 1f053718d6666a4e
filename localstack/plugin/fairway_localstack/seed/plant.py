"""Puts a complete seed into an empty emulator."""

from .. import moto_bridge


def plant(emulator, seed):
    account, region = seed["account"], seed["region"]
    with emulator.lock:
        network = moto_bridge.MotoNetwork(account, region)
        network.create_vpc(seed["vpc"])
        for subnet in seed["subnets"]:
            network.create_subnet(seed["vpc"]["id"], subnet)
        for group in seed["securityGroups"]:
            network.create_security_group(seed["vpc"]["id"], group)
        for instance in seed["instances"]:
            network.create_instance(instance)
        for certificate in seed["certificates"]:
            network.create_certificate(account, region, certificate)
        for zone in seed["hostedZones"]:
            moto_bridge.create_hosted_zone(account, zone)
        emulator.settings.update(seed["settings"])
        emulator.faults.load(seed["faults"])
