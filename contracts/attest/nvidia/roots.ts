/**
 * NVIDIA's root of device identities, pinned by SHA-256 of its SubjectPublicKeyInfo.
 *
 * Source: `verifier_device_root.pem` of NVIDIA/nvtrust (`guest_tools/gpu_verifiers/.../certs`,
 * subject `NVIDIA Device Identity CA`, valid from 2021-11-05), which every Hopper chain of that
 * repository ends in. `test/conformance/nvidia.test.ts` computes the hash again from the file.
 * @module
 */
import { type Bytes, fromHex } from '../../base/bytes.ts'

export const NVIDIA_ROOTS: readonly Bytes[] = [
  fromHex('a90c4eb5acfd3e3d03a25db6a26b84f720ad0503196c627c21ddd48dd85b06a4'),
]
