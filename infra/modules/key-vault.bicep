// The vault that a workspace must have. Upkeep keeps nothing in it: there is no secret to keep.

param name string
param location string
param tags object

@description('Nobody, not even the owner, may remove the vault for good before its 90 days are over. It can never be switched off again.')
param purgeProtection bool
param privateNetwork bool

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: purgeProtection ? 90 : 7
    // The service refuses a false: it must be true or left out.
    enablePurgeProtection: purgeProtection ? true : null
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: privateNetwork ? 'Deny' : 'Allow'
    }
  }
}

output id string = vault.id
