/**
 * toncenter's conversions of addresses and hashes, which need no chain.
 * @module
 */
import { Address } from '@ton/core'
import type { MethodTable } from './methods.ts'
import * as read from './params.ts'

export function addressMethods(): MethodTable {
  return {
    packAddress: (params) => read.address(params).toString({ urlSafe: false }),
    unpackAddress: (params) => rawForm(read.address(params)),
    detectAddress: (params) => {
      const value = read.text(params, 'address')
      const address = read.address(params)
      const friendly = Address.isFriendly(value) ? Address.parseFriendly(value) : undefined
      return {
        '@type': 'ext.utils.detectedAddress',
        raw_form: rawForm(address),
        bounceable: forms(address, true),
        non_bounceable: forms(address, false),
        given_type: friendly
          ? `friendly_${friendly.isBounceable ? '' : 'non_'}bounceable`
          : 'raw_form',
        test_only: friendly?.isTestOnly ?? false,
      }
    },
    detectHash: (params) => {
      const hash = read.parseHash(read.text(params, 'hash'), 'hash')
      const b64 = hash.toString('base64')
      const b64url = b64.replaceAll('+', '-').replaceAll('/', '_')
      return { '@type': 'ext.utils.detectedHash', b64, b64url, hex: hash.toString('hex') }
    },
  }
}

function rawForm(address: Address): string {
  return `${address.workChain}:${address.hash.toString('hex').toUpperCase()}`
}

function forms(address: Address, bounceable: boolean): object {
  return {
    '@type': 'ext.utils.detectedAddressVariant',
    b64: address.toString({ bounceable, urlSafe: false }),
    b64url: address.toString({ bounceable, urlSafe: true }),
  }
}
