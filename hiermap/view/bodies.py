"""The visible shapes of a MuJoCo model as one coloured mesh a body; needs trimesh, which comes with the extra `view`."""

from typing import Any

import mujoco
import numpy as np
import trimesh
from scipy.spatial.transform import Rotation

from hiermap.worlds.simulator.dressing import ROOM_HALF_M, SHOWN_GROUP
from hiermap.worlds.simulator.ray_photograph import GAMMA, colours_of
from hiermap.worlds.simulator.rays import BOX, CAPSULE, CYLINDER, MESH, PLANE, SPHERE

ROUND = 24
"""Sides of what is round."""


MATT = {"pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.7}}
"""A file without a material shows metal, which is black where nothing is mirrored."""


def glb(mesh: trimesh.Trimesh) -> bytes:
    """A mesh as a binary glTF file."""

    def paint(tree: dict) -> None:
        tree["materials"] = [MATT]
        for part in (part for item in tree["meshes"] for part in item["primitives"]):
            part["material"] = 0

    return trimesh.exchange.gltf.export_glb(trimesh.Scene(mesh), tree_postprocessor=paint)


def body_meshes(model: mujoco.MjModel) -> dict[int, Any]:
    """Body id -> its shown geoms in the body's own axes [m], with the colours of photographs; of a staged model (`dressing.stage`)."""
    colours = colours_of(model)
    parts: dict[int, list[trimesh.Trimesh]] = {}
    for geom in np.flatnonzero((model.geom_group == SHOWN_GROUP) & (colours[:, 3] > 0)):
        mesh = _mesh(model, int(geom))
        pose = np.eye(4)
        pose[:3, :3] = Rotation.from_quat(model.geom_quat[geom], scalar_first=True).as_matrix()
        pose[:3, 3] = model.geom_pos[geom]
        mesh.apply_transform(pose)
        light = np.append(colours[geom, :3] ** GAMMA, 1.0)  # files of meshes hold light, not what screens are told
        mesh.visual = trimesh.visual.ColorVisuals(
            mesh, vertex_colors=np.tile((255 * light + 0.5).astype(np.uint8), (len(mesh.vertices), 1))
        )
        parts.setdefault(int(model.geom_bodyid[geom]), []).append(mesh)
    return {body: trimesh.util.concatenate(meshes) for body, meshes in parts.items()}


def _mesh(model: mujoco.MjModel, geom: int) -> trimesh.Trimesh:
    """The surface of a geom in its own axes."""
    kind, size = int(model.geom_type[geom]), model.geom_size[geom]
    if kind == MESH:
        return _triangles(model, int(model.geom_dataid[geom]))
    if kind == BOX:
        return trimesh.creation.box(extents=2 * size)
    if kind == CYLINDER:
        return trimesh.creation.cylinder(radius=size[0], height=2 * size[1], sections=ROUND)
    if kind == CAPSULE:
        return trimesh.creation.capsule(radius=size[0], height=2 * size[1], count=(ROUND, ROUND // 2))
    if kind == PLANE:
        x, y = (float(half) or ROOM_HALF_M for half in size[:2])
        return trimesh.Trimesh([[-x, -y, 0], [x, -y, 0], [x, y, 0], [-x, y, 0]], [[0, 1, 2], [0, 2, 3]], process=False)
    ball = trimesh.creation.icosphere(subdivisions=2)
    ball.apply_scale(size[0] if kind == SPHERE else size)
    return ball


def _triangles(model: mujoco.MjModel, mesh: int) -> trimesh.Trimesh:
    """A mesh of the model, its corners told once each."""
    first, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
    start, faces = model.mesh_faceadr[mesh], model.mesh_facenum[mesh]
    vertices, which = np.unique(model.mesh_vert[first : first + count], axis=0, return_inverse=True)
    return trimesh.Trimesh(vertices, which.ravel()[model.mesh_face[start : start + faces]], process=False)
