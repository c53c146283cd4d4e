// One hardened storage account: no shared keys, no public blobs, TLS 1.2. Used for Upkeep's own account and for the workspace's.

@minLength(3)
@maxLength(24)
param name string
param location string
param tags object

@description('Redundancy, such as Standard_LRS or Standard_ZRS.')
param sku string

@description('Days for which a deleted blob or container can be brought back.')
param deletedDays int

@description('Keep former versions of overwritten blobs as long as deleted ones.')
param versioning bool

@description('Refuse the internet. Trusted services stay allowed: Event Grid delivers from outside any virtual network.')
param privateNetwork bool

@description('Nobody may delete the account while this lock is on it.')
param lock bool

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // Not 'Disabled' when private: with it the exception for trusted services, which Event Grid needs, is not documented to hold.
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: privateNetwork ? 'Deny' : 'Allow'
    }
    encryption: {
      keySource: 'Microsoft.Storage'
      requireInfrastructureEncryption: true
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: versioning
    deleteRetentionPolicy: {
      enabled: true
      days: deletedDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: deletedDays
    }
  }
}

resource guard 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  scope: account
  name: 'keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds data, decisions and models that cannot be made again. Take the lock off before a tear-down.'
  }
}

output id string = account.id
output name string = account.name
output blobService string = account.properties.primaryEndpoints.blob
output queueService string = account.properties.primaryEndpoints.queue
output tableService string = account.properties.primaryEndpoints.table
