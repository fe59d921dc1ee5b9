"""Archives of images: what docker, podman, skopeo and buildah save, and OCI image layouts."""
