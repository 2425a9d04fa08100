/**
 * What `aegir/chai` exports: chai with the plugins that libp2p's compliance tests count on. The whole of aegir is a
 * build tool with several hundred packages; `overrides` in pnpm-workspace.yaml puts this in its place.
 */
import * as chai from 'chai'
import chaiAsPromised from 'chai-as-promised'
import chaiBites from 'chai-bites'
import chaiParentheses from 'chai-parentheses'
import chaiString from 'chai-string'
import chaiSubset from 'chai-subset'

// In aegir's order: each wraps what it finds.
for (const plugin of [chaiAsPromised, chaiParentheses, chaiSubset, chaiBites, chaiString]) chai.use(plugin)

export const { assert, expect } = chai
