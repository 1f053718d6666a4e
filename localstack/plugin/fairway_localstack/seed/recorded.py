"""Reads an environment recorded from the EC2, ACM and Route 53 APIs, so that a recorded world can be stood up again."""

# The recording names its zone by id alone; this is the zone that it is.
ZONE_NAME = "example.com"


def is_recorded(document):
    return isinstance(document.get("vpc"), list)


def as_seed(document):
    vpc = document["vpc"][0]
    groups = document["securityGroups"]
    default = next(group for group in groups if group["GroupName"] == "default")
    return {
        "account": vpc["OwnerId"],
        "region": document["region"],
        "vpc": {
            "id": vpc["VpcId"],
            "cidr": vpc["CidrBlock"],
            "extraCidrs": [cidr for cidr in _cidrs(vpc) if cidr != vpc["CidrBlock"]],
            "defaultSecurityGroup": default["GroupId"],
            "tags": _tags(vpc),
        },
        "subnets": [_subnet(subnet) for subnet in document["subnets"]],
        "securityGroups": [_group(group) for group in groups if group is not default],
        "instances": [_instance(instance) for instance in document["instances"]],
        "hostedZones": [{"id": document["zone"], "name": ZONE_NAME}],
        "certificates": [_certificate(document["certificate"])],
    }


def _tags(recorded):
    return {tag["Key"]: tag["Value"] for tag in recorded.get("Tags", [])}


def _cidrs(vpc):
    return [block["CidrBlock"] for block in vpc["CidrBlockAssociationSet"]]


def _subnet(subnet):
    return {
        "id": subnet["SubnetId"],
        "zone": subnet["AvailabilityZone"],
        "cidr": subnet["CidrBlock"],
        "tags": _tags(subnet),
    }


def _group(group):
    return {
        "id": group["GroupId"],
        "name": group["GroupName"],
        "description": group["Description"],
        "tags": _tags(group),
    }


def _instance(instance):
    interface = instance["NetworkInterfaces"][0]
    addresses = interface["PrivateIpAddresses"]
    return {
        "id": instance["InstanceId"],
        "name": instance["InstanceId"],
        "type": instance["InstanceType"],
        "subnet": instance["SubnetId"],
        "interface": interface["NetworkInterfaceId"],
        "privateAddress": interface["PrivateIpAddress"],
        "securityGroups": [group["GroupId"] for group in interface["Groups"]],
        "podAddresses": [address["PrivateIpAddress"] for address in addresses if not address["Primary"]],
        "tags": _tags(instance),
    }


def _certificate(certificate):
    return {
        "arn": certificate["CertificateArn"],
        "domain": certificate["DomainName"],
        "alternativeNames": certificate["SubjectAlternativeNames"],
        "type": certificate["Type"],
    }
