/**
 * toncenter's address conversions, which need no chain.
 * @module
 */
import { Address } from '@ton/core'
import type { Method } from './methods.ts'
import * as read from './params.ts'

export function addressMethods(): Record<string, Method> {
  return {
    packAddress: (params) => read.address(params).toString({ urlSafe: false }),
    unpackAddress: (params) => read.address(params).toRawString(),
    detectAddress: (params) => {
      const value = read.text(params, 'address')
      const address = read.address(params)
      const friendly = Address.isFriendly(value) ? Address.parseFriendly(value) : undefined
      return {
        raw_form: address.toRawString(),
        bounceable: forms(address, true),
        non_bounceable: forms(address, false),
        given_type: friendly
          ? `friendly_${friendly.isBounceable ? '' : 'non_'}bounceable`
          : 'raw_form',
        test_only: friendly?.isTestOnly ?? false,
      }
    },
  }
}

function forms(address: Address, bounceable: boolean): object {
  return {
    b64: address.toString({ bounceable, urlSafe: false }),
    b64url: address.toString({ bounceable, urlSafe: true }),
  }
}
