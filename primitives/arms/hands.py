"""The hand that several arms carry."""

from hiermap.primitives.arms.spec import HandSpec

ROBOTIQ_85 = HandSpec(
    gripper="Robotiq85Gripper",
    closed=(0.8076, 0.8076),
    opening=((-0.0592, -0.00730), (-0.0592, -0.00730)),
    limit=0.04,
    fingers=(
        ("left_inner_finger_collision", "left_fingertip_collision", "left_fingerpad_collision"),
        ("right_inner_finger_collision", "right_fingertip_collision", "right_fingerpad_collision"),
    ),
    ahead=0.003,
    # robosuite's distal links hang on weak springs; the real linkage keeps the pads parallel.
    coupled=tuple(
        (f"{side}_{joint}", motor, ratio)
        for side, motor in (("left", "finger_joint"), ("right", "right_outer_knuckle_joint"))
        for joint, ratio in (("inner_finger_joint", -1.0), ("inner_knuckle_joint", 1.0))
    ),
    squeeze=1.2,
    armature=0.005,
    damping=0.1,
    friction=(2.0, 0.02, 0.0001),
)
"""Opens to 85 mm, here to 80 like the Panda's hand; its tips go 14 mm further ahead while it closes."""
