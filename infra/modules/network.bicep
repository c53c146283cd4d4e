// The optional virtual network: a subnet that the app speaks from, one in which storage, vault, registry and workspace are reached,
// and the DNS zones that lead there. Event Grid stays outside; it delivers as a trusted service.

param location string
param tags object
param token string
param storageId string
param workspaceStorageId string
param vaultId string
param containerRegistryId string
param workspaceId string

@description('Range of the network; the app gets the first /26, the private endpoints the second.')
param addressRange string = '10.80.0.0/24'

resource guard 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: 'nsg-upkeep-${token}'
  location: location
  tags: tags
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: 'vnet-upkeep-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        addressRange
      ]
    }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(addressRange, 26, 0)
          networkSecurityGroup: {
            id: guard.id
          }
          delegations: [
            {
              name: 'flex-consumption'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressRange, 26, 1)
          networkSecurityGroup: {
            id: guard.id
          }
        }
      }
    ]
  }
}

var suffix = environment().suffixes.storage
var zones = [
  'privatelink.blob.${suffix}'
  'privatelink.queue.${suffix}'
  'privatelink.table.${suffix}'
  'privatelink.file.${suffix}'
  'privatelink.vaultcore.azure.net'
  'privatelink.azurecr.io'
  'privatelink.api.azureml.ms'
  'privatelink.notebooks.azure.net'
]

// What is reached, by which part of it, and the zones in which its addresses stand.
var doors = [
  { name: 'blob', target: storageId, part: 'blob', zones: ['privatelink.blob.${suffix}'] }
  { name: 'queue', target: storageId, part: 'queue', zones: ['privatelink.queue.${suffix}'] }
  { name: 'table', target: storageId, part: 'table', zones: ['privatelink.table.${suffix}'] }
  { name: 'ml-blob', target: workspaceStorageId, part: 'blob', zones: ['privatelink.blob.${suffix}'] }
  { name: 'ml-file', target: workspaceStorageId, part: 'file', zones: ['privatelink.file.${suffix}'] }
  { name: 'vault', target: vaultId, part: 'vault', zones: ['privatelink.vaultcore.azure.net'] }
  { name: 'images', target: containerRegistryId, part: 'registry', zones: ['privatelink.azurecr.io'] }
  { name: 'workspace', target: workspaceId, part: 'amlworkspace', zones: ['privatelink.api.azureml.ms', 'privatelink.notebooks.azure.net'] }
]

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [for name in zones: {
  name: name
  location: 'global'
  tags: tags
}]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (name, index) in zones: {
  parent: zone[index]
  name: 'upkeep'
  location: 'global'
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: network.id
    }
  }
}]

module door 'private-endpoint.bicep' = [for each in doors: {
  name: 'private-endpoint-${each.name}'
  params: {
    name: 'pe-upkeep-${each.name}-${token}'
    location: location
    tags: tags
    subnetId: '${network.id}/subnets/endpoints'
    targetId: each.target
    part: each.part
    zones: each.zones
  }
  dependsOn: [
    zone
  ]
}]

output appSubnetId string = '${network.id}/subnets/app'
