# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The window's first layout: each panel's dock, and the settings of the library that runs the window."""

from pathlib import Path

from imgui_bundle import hello_imgui, imgui

LEFT_SHARE, RIGHT_SHARE, BOTTOM_SHARE = 0.18, 0.205, 0.225  # of the window's width and height
LEFT_LEAST, RIGHT_LEAST, BOTTOM_LEAST = 288, 328, 190  # pixels that their panels need
MOST, MOST_ENLARGED, MOST_BOTTOM = 0.3, 0.32, 0.36  # a share's end; that of columns with larger letters
PLACES = {
    "left": "{title}Space",
    "latent": "LatentSpace",
    "right": "RightSpace",
    "bottom": "BottomSpace",
    "canvas": "MainDockSpace",
}


def name_dock(title: str, place: str) -> str:
    """Return the dock that a panel with this PLACE starts in: one of its own in the left column, a tab elsewhere."""
    return PLACES[place].format(title=title)


def build_params(
    size: tuple[int, int], windows: list[hello_imgui.DockableWindow], layout_file: Path | None, text_size: float = 1.0
) -> hello_imgui.RunnerParams:
    """Return what hello_imgui runs, without callbacks. `layout_file` keeps the user's own layout; None keeps none."""
    params = hello_imgui.RunnerParams()
    params.app_window_params.window_title = "Jinc"
    params.app_window_params.window_geometry.size = size
    inner = params.imgui_window_params
    inner.default_imgui_window_type = hello_imgui.DefaultImGuiWindowType.provide_full_screen_dock_space
    inner.show_menu_bar = inner.show_status_bar = True
    inner.show_menu_app = inner.show_menu_view = inner.show_status_fps = False  # ours say it
    inner.remember_theme = inner.remember_status_bar_settings = False  # the state does
    params.renderer_backend_options.open_gl_options.anti_aliasing_samples = 0  # imgui smooths its own edges
    params.fps_idling.fps_idle = 10.0
    params.fps_idling.time_active_after_last_event = 0.5
    if layout_file:
        params.ini_filename = str(layout_file.absolute())
    else:
        params.ini_disable = True
    width, height = size
    most = MOST if text_size == 1.0 else MOST_ENLARGED
    left, right = (
        min(max(share, text_size * least / width), most)
        for share, least in ((LEFT_SHARE, LEFT_LEAST), (RIGHT_SHARE, RIGHT_LEAST))
    )
    bottom = min(max(BOTTOM_SHARE, text_size * BOTTOM_LEAST / height), MOST_BOTTOM)
    # Model, Latent and Transform stacked left, the instruments in tabs below, the canvas in the middle.
    split, direction = hello_imgui.DockingSplit, imgui.Dir
    params.docking_params.docking_splits = [
        split("MainDockSpace", "ModelSpace", direction.left, left),
        split("MainDockSpace", "RightSpace", direction.right, right / (1 - left)),
        split("MainDockSpace", "BottomSpace", direction.down, bottom),
        split("ModelSpace", "LatentSpace", direction.down, 0.65),
        split("LatentSpace", "TransformSpace", direction.down, 0.497),
    ]
    params.docking_params.dockable_windows = windows
    return params


def configure_imgui() -> None:
    """Set imgui's own switches; call it once its context exists."""
    hello_imgui.imgui_default_settings.setup_default_imgui_config()
    io = imgui.get_io()
    io.config_drag_click_to_input_text = True  # click a number to type it
    io.config_windows_move_from_title_bar_only = True
    io.config_flags &= ~imgui.ConfigFlags_.nav_enable_keyboard  # the arrow keys move the picture
