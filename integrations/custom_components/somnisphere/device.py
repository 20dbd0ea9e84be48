"""On which device's page the player is: the box's own, which it announces over MQTT; else one that is made here.

Until 2025.7 Home Assistant joins entities to a device by its identifiers. From 2025.8 on an entity of one integration
may be linked to the device of another, and from 2026.8 on that is the only way: devices are of one integration alone.
"""

from typing import Final

from homeassistant.const import MAJOR_VERSION, MINOR_VERSION
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er

from .box import SomnisphereEntry
from .const import DOMAIN, MANUFACTURER, MODEL
from .topics import Topics

LINKS_ENTITIES: Final = (MAJOR_VERSION, MINOR_VERSION) >= (2025, 8)
ONE_ENTRY_EACH: Final = (MAJOR_VERSION, MINOR_VERSION) >= (2026, 8)


def announced_device(hass: HomeAssistant, node: str) -> dr.DeviceEntry | None:
    """The box as the MQTT integration knows it; None where the box is told not to announce itself."""
    registry = dr.async_get(hass)
    identifier = Topics(node).device_identifier
    for entry in hass.config_entries.async_entries("mqtt"):
        for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
            if identifier in device.identifiers:
                return device
    return None


def name_of(hass: HomeAssistant, node: str) -> str:
    """What the household calls the box."""
    device = announced_device(hass, node)
    return (device.name_by_user or device.name or node) if device is not None else node


def own_device(entry: SomnisphereEntry) -> dr.DeviceInfo:
    node = entry.runtime_data.topics.node
    return dr.DeviceInfo(identifiers={(DOMAIN, node)}, name=entry.title, manufacturer=MANUFACTURER, model=MODEL)


@callback
def leave_other_devices(hass: HomeAssistant, entry: SomnisphereEntry) -> None:
    """A device that an earlier start made, or was joined to, goes when the box has a page of its own meanwhile. To be
    called before the entities are added; ours are moved first, for they would go with it."""
    announced = announced_device(hass, entry.runtime_data.topics.node)
    if announced is None:
        return
    devices, entities = dr.async_get(hass), er.async_get(hass)
    for device in dr.async_entries_for_config_entry(devices, entry.entry_id):
        if device.id == announced.id and not LINKS_ENTITIES:
            continue
        for entity in er.async_entries_for_config_entry(entities, entry.entry_id):
            if entity.device_id == device.id != announced.id:
                entities.async_update_entity(entity.entity_id, device_id=announced.id)
        if ONE_ENTRY_EACH:
            devices.async_remove_device(device.id)
        else:
            devices.async_update_device(device.id, remove_config_entry_id=entry.entry_id)


@callback
def follow_device(hass: HomeAssistant, entry: SomnisphereEntry) -> None:
    """Sets the entry up anew when the box's page comes or goes."""
    node = entry.runtime_data.topics.node
    announced = announced_device(hass, node)
    was_id = None if announced is None else announced.id

    @callback
    def changed(_event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
        now = announced_device(hass, node)
        if (None if now is None else now.id) != was_id:
            hass.config_entries.async_schedule_reload(entry.entry_id)

    entry.async_on_unload(hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, changed))
