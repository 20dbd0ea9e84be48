/* For a machine under qemu-user, through its /etc/ld.so.preload: statx(2) without the number of the mount.
 *
 * qemu hands on the kernel's answer without that number (host_to_target_statx, qemu 10.0) but leaves the bit that says it is
 * there, so that every mount seems to be number 0. systemd then takes a bind mount for what it shows, and neither mount
 * namespaces nor credentials can be set up. Without the bit it asks elsewhere.
 */
#define _GNU_SOURCE
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOUNT_NUMBERS (0x1000U | 0x4000U) /* STATX_MNT_ID, STATX_MNT_ID_UNIQUE: linux/stat.h */

int statx(int folder, const char *restrict path, int flags, unsigned int mask, struct statx *restrict answer)
{
    int result = (int)syscall(SYS_statx, folder, path, flags, mask & ~MOUNT_NUMBERS, answer);
    if (result == 0)
        answer->stx_mask &= ~MOUNT_NUMBERS;
    return result;
}
