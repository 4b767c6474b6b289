// Package suites is the room of the specs: what pivotspec observes of pivot_root(2).
//
//   - sandbox is the disposable world in which one behaviour is observed, and the small
//     vocabulary that builds mount trees in it;
//   - abi holds what differs between architectures in system calls made by hand;
//   - newfs makes filesystems that are mounted nowhere;
//   - spec says what a spec is and collects the specs of every area;
//   - lookup, permission, busy, invalid, order, success, migrate, after, forms and rootfs hold the
//     specs, one package an area; recipes those of programs that pivot;
//   - locked, foreign, detached, failfs and filesystems hold those that need more than a mount
//     tree: user namespaces, other mount namespaces, mounts in none, look-ups that always fail,
//     kernel modules;
//   - boot holds those that only whole boots show, in scenarios: real roots on disks, entered and
//     left;
//   - tools holds those of real programs, pivot_root(8) and switch_root(8), in scenarios of their
//     own;
//   - faults lists what can be wrong with a call, and pairs observes every two of them at once;
//   - all lists the specs of every area, and guest is the program that has runner run them inside a
//     kernel under test; contain keeps it apart from a machine that serves others too;
//   - record is the language in which it reports;
//   - disk, kmod and programs are what the maker of an image and the specs agree on: filesystems,
//     kernel modules, real programs;
//   - knowledge holds behaviours, claims and ledger as data;
//   - lies are kernels that answer wrongly, to test the suite with;
//   - diagnose says why a call would fail, from what it reads of the running kernel; exam below it has
//     it say so of every call of the suite;
//   - model is the call as a pure function, enumerate lists small worlds for it, and exhaust
//     builds them and compares the kernel with the model.
//
// Nothing here knows of QEMU.
package suites
