"""Transforms of rules. Source: RuleTransform, RewriteConfig ("one host header rewrite transform and one URL rewrite transform")."""

from ..errors import refuse

CONFIGS = {"host-header-rewrite": "HostHeaderRewriteConfig", "url-rewrite": "UrlRewriteConfig"}
LONGEST_EXPRESSION = 1024


def normal_transforms(transforms):
    """The transforms as AWS answers them; None stays None."""
    if transforms is None:
        return None
    types = [transform.get("Type") for transform in transforms]
    if len(set(types)) != len(types):
        refuse("ValidationError", "A rule can have one transform of each type")
    return [_normal(transform) for transform in transforms]


def _normal(transform):
    kind = transform.get("Type")
    if kind not in CONFIGS:
        refuse("ValidationError", f"Transform type '{kind}' must be one of '[{', '.join(sorted(CONFIGS))}]'")
    rewrites = (transform.get(CONFIGS[kind]) or {}).get("Rewrites") or []
    if not rewrites:
        refuse("ValidationError", "A rewrite must be specified")
    for rewrite in rewrites:
        lengths = len(rewrite.get("Regex") or ""), len(rewrite.get("Replace") or "")
        if not 1 <= lengths[0] <= LONGEST_EXPRESSION or lengths[1] > LONGEST_EXPRESSION:
            refuse("ValidationError", f"A rewrite has 1 to {LONGEST_EXPRESSION} characters")
    return {"Type": kind, CONFIGS[kind]: {"Rewrites": rewrites}}
