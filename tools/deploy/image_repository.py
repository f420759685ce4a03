"""A stack's one ECR repository, so that a layer which two images share is stored once."""

import json
import re
from typing import Any, Final

from botocore.exceptions import ClientError

KEPT: Final = 5
"""Builds of each image that stay, for rolling back."""
IMAGES: Final = ("rank", "classify")
"""How the tags of each image begin: SAM tags `rankapifunction-HASH-rank`."""
PULLED_BY_LAMBDA: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "LambdaECRImageRetrievalPolicy",
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        }
    ],
}


def name_repository(stack: str) -> str:
    """Return the name of a stack's repository: lower-case, with single hyphens, as ECR wants it."""
    return re.sub(r"-+", "-", stack.lower()).strip("-") + "-images"


def keep_repository(ecr: Any, stack: str) -> str:
    """Make a stack's repository where it is missing, say who pulls and what expires; return its address."""
    name = name_repository(stack)
    try:
        made = ecr.create_repository(repositoryName=name, imageScanningConfiguration={"scanOnPush": True})["repository"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "RepositoryAlreadyExistsException":
            raise
        [made] = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    ecr.set_repository_policy(repositoryName=name, policyText=json.dumps(PULLED_BY_LAMBDA))
    ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=json.dumps(lifecycle()))
    return str(made["repositoryUri"])


def lifecycle() -> dict[str, Any]:
    """Return which images expire: of each kind all but the last, so that no kind outlives the other in its place."""
    rules = [
        {
            "rulePriority": place,
            "description": f"the last {KEPT} builds of the {image} image",
            "selection": {
                "tagStatus": "tagged",
                "tagPrefixList": [image],
                "countType": "imageCountMoreThan",
                "countNumber": KEPT,
            },
            "action": {"type": "expire"},
        }
        for place, image in enumerate(IMAGES, 1)
    ]
    untagged = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 7}
    said = "what a later build took the tag from"
    rules.append({"rulePriority": 9, "description": said, "selection": untagged, "action": {"type": "expire"}})
    return {"rules": rules}


def remove_repository(ecr: Any, stack: str) -> bool:
    """Remove a stack's repository with its images; False if there is none."""
    try:
        ecr.delete_repository(repositoryName=name_repository(stack), force=True)
    except ClientError as error:
        if error.response["Error"]["Code"] != "RepositoryNotFoundException":
            raise
        return False
    return True
